import * as z from "zod";

export const type = "com.example.notification.requested";
export const dataschema = "https://schemas.example.com/notification-requested/1";

/** Lists of one recipient's events find them by an index: docs/query.md. */
export const indexed = ["/recipient"];

/** A request to send a message to a recipient. */
export const data = z.object({
  channel: z.enum(["email", "sms", "push"]),
  recipient: z.string().min(1),
  template: z.string().min(1),
  parameters: z.record(z.string(), z.unknown()).optional(),
  sendAfter: z.iso.datetime({ offset: true }).optional(),
});

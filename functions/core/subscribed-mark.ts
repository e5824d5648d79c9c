/**
 * Whether anybody subscribes: beside the mark of stored events, so that the consumer learns it by the write that it makes anyway.
 * `token` is another one after each subscription that begins.
 */
export type SubscribedMark = {
  /** @throws AccessError */
  set(token: string): Promise<void>;
  /** Takes the mark away, unless it has another token by now. @throws AccessError */
  clear(token: string): Promise<void>;
  /** @throws AccessError */
  read(): Promise<string | undefined>;
};

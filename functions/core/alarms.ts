/** An alarm of the installation, as the service that watches it has it. */
export type AlarmState = {
  name: string;
  description: string | undefined;
  state: "ok" | "alarm" | "insufficientData";
  /** The numbers behind the state. */
  reason: string;
  /** The time of the state's beginning, ms since the epoch. */
  since: number;
};

export type AlarmReader = {
  /** Reads every alarm that notifies. @throws Error where the service does not answer, or knows none of them */
  read(deadline: number): Promise<AlarmState[]>;
};

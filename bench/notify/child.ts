import { fork } from "node:child_process";
import { once } from "node:events";

/** A program in a process of its own, which answers one question at a time. */
export type Child<Question, Answer> = {
  /** @throws Error if the process has ended */
  ask: (question: Question) => Promise<Answer>;
  stop: () => Promise<void>;
};

/** Starts a program that calls `answerParent`. */
export function startChild<Question extends object, Answer>(program: string): Child<Question, Answer> {
  const child = fork(program);
  const ended = once(child, "exit");
  return {
    async ask(question) {
      const failed = ended.then(([code]) => Promise.reject(new Error(`${program} ended with ${String(code)}.`)));
      const answered = once(child, "message");
      child.send(question);
      const [answer] = (await Promise.race([answered, failed])) as [Answer];
      return answer;
    },
    async stop() {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** Answers the questions of the parent, until that ends or stops this process. */
export function answerParent(answer: (question: never) => unknown): void {
  process.on("message", (question) => void Promise.resolve(answer(question as never)).then(send));
  process.on("disconnect", () => process.exit());
}

function send(answer: unknown): void {
  process.send?.(answer);
}

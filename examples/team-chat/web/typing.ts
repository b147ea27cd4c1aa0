import { reactive } from "vue";

/** A sign of typing holds a little longer than the pause between two of them. */
const everyMs = 2_000;
const holdsMs = 4_000;

/** Who is typing where. Signs expire by themselves: nobody says that they stopped. */
export function createTyping(send: (chatId: string) => void) {
  const typists = reactive(new Map<string, Set<string>>());
  const timers = new Map<string, ReturnType<typeof setTimeout>>();
  let lastSign = { chatId: "", at: 0 };

  function clear(chatId: string, personId: string): void {
    const key = `${chatId} ${personId}`;
    clearTimeout(timers.get(key));
    timers.delete(key);
    typists.get(chatId)?.delete(personId);
  }

  return {
    in: (chatId: string): readonly string[] => [...(typists.get(chatId) ?? [])],
    heard(chatId: string, personId: string): void {
      clear(chatId, personId);
      if (!typists.has(chatId)) typists.set(chatId, new Set());
      typists.get(chatId)?.add(personId);
      timers.set(
        `${chatId} ${personId}`,
        setTimeout(() => clear(chatId, personId), holdsMs),
      );
    },
    clear,
    /** This person pressed a key; the others are told now and then. */
    pressed(chatId: string): void {
      const at = Date.now();
      if (lastSign.chatId === chatId && at - lastSign.at < everyMs) return;
      lastSign = { chatId, at };
      send(chatId);
    },
    /** What was typed is sent: the next key is a new sign. */
    sent(): void {
      lastSign = { chatId: "", at: 0 };
    },
  };
}

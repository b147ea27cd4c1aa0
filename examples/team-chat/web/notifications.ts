import { ref } from "vue";

const title = document.title;
const isSupported = "Notification" in window;

/** Whether this browser may still be asked. */
export const canAsk = ref(isSupported && Notification.permission === "default");

export async function askForNotifications(): Promise<void> {
  await Notification.requestPermission();
  canAsk.value = Notification.permission === "default";
}

/** The count in the title of the tab. */
export function showUnread(count: number): void {
  document.title = count === 0 ? title : `(${count}) ${title}`;
}

/** A notification of the system, for somebody who looks elsewhere. */
export function notify(heading: string, body: string, onOpen: () => void): void {
  if (!isSupported || Notification.permission !== "granted" || document.hasFocus()) return;
  try {
    const notification = new Notification(heading, { body: body.slice(0, 120), tag: heading });
    notification.addEventListener("click", () => {
      window.focus();
      onOpen();
      notification.close();
    });
  } catch {
    // Chrome on Android has the class but only lets service workers use it.
  }
}

/** The system's notifications. What nobody holds of them is collected: it disappears, and a click on it does nothing. */
import { visible } from '#shared/words'
import type { ElectronModules } from './electron-modules.ts'

export interface Notifier {
  show(words: { readonly title: string; readonly body: string }): void
  /** How many may still be clicked. */
  readonly held: number
}

/** Of those that the person never closes, the oldest are let go. */
const mostHeld = 50

/** Shows nothing where the system has no notifications. `onClick`: the person wants to see more. */
export function createNotifier(
  { Notification }: Pick<ElectronModules, 'Notification'>,
  onClick: () => void,
): Notifier {
  const held = new Set<object>()
  return {
    show({ title, body }) {
      if (!Notification.isSupported()) return
      const notification = new Notification({ title: visible(title), body: visible(body) })
      held.add(notification)
      for (const oldest of [...held].slice(0, -mostHeld)) held.delete(oldest)
      const over = () => void held.delete(notification)
      notification.on('click', () => {
        over()
        onClick()
      })
      notification.on('close', over)
      notification.on('failed', over)
      notification.show()
    },
    get held() {
      return held.size
    },
  }
}

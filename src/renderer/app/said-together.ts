/** What interrupts: of two texts in one region that come right after each other, only the second would be read. */
import type { Clock } from '#renderer/store'

/** An engine that stops ends its streams and jobs one after the other. Nobody notices that this is waited for. */
const togetherMs = 150

/** Says what comes from now on; what comes within a moment of the first, with it. */
export function sayTogether(
  say: (text: string) => void,
  { after }: Pick<Clock, 'after'>,
): (text: string) => void {
  let texts: readonly string[] = []
  return (text) => {
    texts = [...texts, text]
    if (texts.length > 1) return
    after(togetherMs, () => {
      const together = texts.join(' ')
      texts = []
      say(together)
    })
  }
}

/**
 * One text at a time in each region. Of two that interrupt, right after each other, only the second would be read; and what doesn't interrupt
 * would be cut off by what does.
 */
import type { Clock } from '#renderer/store'
import type { Announcement } from './announcements.ts'

/** An engine that stops ends its streams and jobs one after the other. Nobody notices that this is waited for. */
const togetherMs = 150
/** However many come. */
const longestMs = 500

/** Says what comes from now on; what interrupts together, and the last of what doesn't and came meanwhile right after it. */
export function sayTogether(
  say: (said: Announcement) => void,
  { after }: Pick<Clock, 'after'>,
): (said: Announcement) => void {
  let urgent: readonly string[] = []
  let polite: Announcement | null = null
  let callOff: readonly (() => void)[] = []

  function sayAll(): void {
    const last = polite
    const text = urgent.join(' ')
    callOff.forEach((cancel) => cancel())
    urgent = []
    polite = null
    callOff = []
    say({ text, urgent: true })
    if (last !== null) say(last)
  }
  return (said) => {
    if (!said.urgent) {
      if (urgent.length === 0) say(said)
      else polite = said
      return
    }
    urgent = [...urgent, said.text]
    const [longest = after(longestMs, sayAll), soon] = callOff
    soon?.()
    callOff = [longest, after(togetherMs, sayAll)]
  }
}

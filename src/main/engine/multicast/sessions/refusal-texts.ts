/** What whoever isn't let in is told, for people. */

export type Objection = 'not-admitted' | 'password' | 'wait' | 'full' | 'preparing'

/** `waitMs`: how long, where proofs have to wait. */
export function refusalText(objection: Objection, waitMs: number): string {
  switch (objection) {
    case 'not-admitted':
      return 'This computer is not among those that may join.'
    case 'password':
      return 'The password is missing or wrong.'
    case 'wait':
      return `Too many passwords were wrong. The next one is looked at in ${duration(waitMs)}.`
    case 'preparing':
      return 'The session is still reading its source.'
    default:
      return 'As many clients have joined as may.'
  }
}

function duration(ms: number): string {
  const seconds = Math.ceil(ms / 1000)
  if (seconds > 90) return `${Math.ceil(seconds / 60)} minutes`
  return seconds === 1 ? 'a second' : `${seconds} seconds`
}

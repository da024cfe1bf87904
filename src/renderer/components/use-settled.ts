/** For a button that comes where another was, or that comes to stand for something else: it is under the pointer of who presses twice. */
import { useEffect, useState } from 'react'

/** So long it takes no press then. */
const settlesMs = 1000

/** Whether what the button stands for has been the same for that long, or since it was drawn first. Something in between counts. */
export function useSettled(standsFor: string | boolean): boolean {
  const [state, setState] = useState({ standsFor, settled: true })
  if (state.standsFor !== standsFor) setState({ standsFor, settled: false })
  useEffect(() => {
    if (state.settled) return undefined
    const timer = setTimeout(() => setState((now) => ({ ...now, settled: true })), settlesMs)
    return () => clearTimeout(timer)
  }, [state])
  return state.settled && state.standsFor === standsFor
}

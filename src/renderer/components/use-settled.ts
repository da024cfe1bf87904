/** For a button that comes where another was, or that comes to stand for something else: it is under the pointer of who presses twice. */
import { useEffect, useState } from 'react'

/** So long it takes no press then. */
const settlesMs = 1000

/** Whether what the button stands for has been the same for that long, or since it was drawn first. */
export function useSettled(standsFor: string | boolean): boolean {
  const [settled, setSettled] = useState(standsFor)
  useEffect(() => {
    if (settled === standsFor) return undefined
    const timer = setTimeout(() => setSettled(standsFor), settlesMs)
    return () => clearTimeout(timer)
  }, [settled, standsFor])
  return settled === standsFor
}

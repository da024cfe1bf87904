import { useEffect, useState } from 'react'

/** Milliseconds since `startedMs`, once a second. */
export function useElapsed(startedMs: number): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return Math.max(0, now - startedMs)
}

/** The time by the host's clock: what it says of when something began is by that, and the window may be on another computer. */
import { useEffect, useState } from 'react'
import type { EngineMirror } from './engine-mirror.ts'
import { useMirror } from './react.ts'

export const hostAheadMs = (mirror: EngineMirror): number => mirror.hostAheadMs

/** Milliseconds since 1970, once a second; not `ticking`: as it was. */
export function useHostTime({ ticking }: { readonly ticking: boolean }): number {
  const aheadMs = useMirror(hostAheadMs)
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    if (!ticking) return undefined
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [ticking])
  return now + aheadMs
}

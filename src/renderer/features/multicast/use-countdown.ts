import { useEffect, useState } from 'react'

/** Milliseconds left, counted down between the server's own words; null stays null. */
export function useCountdown(leftMs: number | null): number | null {
  const [counted, setCounted] = useState({ from: leftMs, spentMs: 0 })
  useEffect(() => {
    if (leftMs === null) return undefined
    const began = performance.now()
    const tick = () => setCounted({ from: leftMs, spentMs: performance.now() - began })
    const timer = setInterval(tick, 1000)
    return () => clearInterval(timer)
  }, [leftMs])
  if (leftMs === null) return null
  return Math.max(0, leftMs - (counted.from === leftMs ? counted.spentMs : 0))
}

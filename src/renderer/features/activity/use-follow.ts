/** Keeps a scrolled region at its end. Scrolling up stops following; scrolling to the end follows again. */
import { useLayoutEffect, useRef, type RefObject } from 'react'

export interface Following {
  readonly follow: boolean
  readonly onFollow: (follow: boolean) => void
}

export function useFollow<Frame extends HTMLElement>({
  follow,
  onFollow,
}: Following): {
  readonly frame: RefObject<Frame | null>
  readonly onScroll: () => void
} {
  const frame = useRef<Frame>(null)
  // After every drawing: lines came, or there is more or less room.
  useLayoutEffect(() => {
    const element = frame.current
    if (follow && element) element.scrollTop = element.scrollHeight
  })
  return {
    frame,
    onScroll() {
      const element = frame.current
      if (!element) return
      const atEnd = element.scrollTop + element.clientHeight >= element.scrollHeight - 2
      if (atEnd !== follow) onFollow(atEnd)
    },
  }
}

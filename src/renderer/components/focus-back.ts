/**
 * Gives the focus back when a sheet has closed. React Aria does so, too, but one frame after the sheet is gone; on a busy
 * machine what lies below is still inert then, and the focus is lost to the page. And a sheet that is drawn anew while
 * it is open knows only its forerunner as where the focus was.
 */
import { useEffect } from 'react'

/** Where the focus was last, outside of all sheets. */
let lastOutside: HTMLElement | null = null

const remember = ({ target }: FocusEvent) => {
  if (target instanceof HTMLElement && target.closest('.sheet-overlay') === null) lastOutside = target
}
globalThis.document?.addEventListener('focusin', remember)

/** For a sheet: when it is gone and nothing has the focus, what had it before has it again. */
export function useFocusBack(): void {
  useEffect(
    () => () => {
      // After the effects that make the page usable again, and after React Aria's own attempt.
      requestAnimationFrame(() =>
        setTimeout(() => {
          const isLost = document.activeElement === null || document.activeElement === document.body
          if (isLost && document.querySelector('.sheet-overlay') === null) lastOutside?.focus()
        }),
      )
    },
    [],
  )
}

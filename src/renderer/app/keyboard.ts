/** Keys that work everywhere in the window. */
import { useEffect } from 'react'
import { isMac } from '#renderer/components'
import { useReprise } from '#renderer/store'
import { menuCommands, type MenuCommand } from '#shared/contract'
import { isPressed, runCommand, shortcutOf } from './commands.ts'

/** The shortcuts of the commands, where no native menu brings them, and F6 from region to region. */
export function useKeyboard({ shortcuts }: { readonly shortcuts: boolean }): void {
  const reprise = useReprise()
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === 'F6') {
        event.preventDefault()
        focusNextRegion(event.shiftKey ? -1 : 1)
        return
      }
      const command = shortcuts ? commandOf(event) : null
      if (!command) return
      // Also where it does nothing: a browser would load the page anew, or open its own file panel.
      event.preventDefault()
      // Of a sheet, or of a menu that is open: its keys are its own.
      if (!document.querySelector('[role=dialog], [role=alertdialog]')) runCommand(reprise, command)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [reprise, shortcuts])
}

function commandOf(event: KeyboardEvent): MenuCommand | null {
  if (!(isMac ? event.metaKey : event.ctrlKey)) return null
  return (
    menuCommands.find((name) => {
      const shortcut = shortcutOf(name, 'web')
      return shortcut !== null && isPressed(shortcut, event)
    }) ?? null
  )
}

/** What can hold the focus in a region; roving widgets offer one stop. */
const focusable =
  'button:not([disabled], [tabindex="-1"]), input:not([disabled], [tabindex="-1"]), [tabindex="0"], a[href]'

function focusNextRegion(step: 1 | -1): void {
  if (document.querySelector('[role=dialog], [role=alertdialog]')) return
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter(
    (region) => region.checkVisibility() && firstStop(region) !== null,
  )
  const current = regions.findIndex((region) => region.contains(document.activeElement))
  const next =
    current < 0 && step < 0 ? regions.length - 1 : (current + step + regions.length) % regions.length
  const region = regions[next]
  if (region) firstStop(region)?.focus()
}

/** Of a region whose panel lies under the sidebar, what it has to tell may be the only one. */
export const firstStop = (region: HTMLElement): HTMLElement | null =>
  [...region.querySelectorAll<HTMLElement>(focusable)].find((stop) => stop.closest('[inert]') === null) ??
  null

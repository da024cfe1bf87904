/** Keys that work everywhere in the window. */
import { useEffect } from 'react'
import { useReprise } from '#renderer/store'
import type { MenuCommand } from '#shared/contract'
import { commands, runCommand } from './commands.ts'

export const isMac = /Mac|iPhone|iPad/.test(navigator.platform)

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
      if (!shortcuts || document.querySelector('[role=dialog], [role=alertdialog]')) return
      const command = commandOf(event)
      if (!command) return
      event.preventDefault()
      runCommand(reprise, command)
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [reprise, shortcuts])
}

function commandOf(event: KeyboardEvent): MenuCommand | null {
  const mod = isMac ? event.metaKey : event.ctrlKey
  if (!mod || event.altKey) return null
  const key = event.key.toLowerCase()
  for (const [name, { shortcut }] of Object.entries(commands))
    if (shortcut?.key === key && (shortcut.shift ?? false) === event.shiftKey) return name as MenuCommand
  return null
}

/** What can hold the focus in a region; roving widgets offer one stop. */
const focusable =
  'button:not([disabled], [tabindex="-1"]), input:not([disabled], [tabindex="-1"]), [tabindex="0"], a[href]'

function focusNextRegion(step: 1 | -1): void {
  if (document.querySelector('[role=dialog], [role=alertdialog]')) return
  const regions = [...document.querySelectorAll<HTMLElement>('[data-region]')].filter(
    (region) => firstStop(region) !== null,
  )
  const current = regions.findIndex((region) => region.contains(document.activeElement))
  const next =
    current < 0 && step < 0 ? regions.length - 1 : (current + step + regions.length) % regions.length
  const region = regions[next]
  if (region) firstStop(region)?.focus()
}

function firstStop(region: HTMLElement): HTMLElement | null {
  const preferred = region.querySelector<HTMLElement>('[data-region-stop]')
  return preferred ?? region.querySelector<HTMLElement>(focusable)
}

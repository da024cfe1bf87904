/** A menu at the pointer, or at the row that the keyboard is on. */
import { useRef } from 'react'
import { Menu, MenuPopover, type MenuGroup } from './menu.tsx'

export interface ContextMenuPlace {
  /** Pixels of the window. */
  readonly x: number
  readonly y: number
  /** The keyboard asked for it: the first entry has the focus. */
  readonly byKeyboard: boolean
}

interface Props {
  readonly at: ContextMenuPlace
  readonly label: string
  readonly groups: readonly MenuGroup[]
  readonly onClose: () => void
}

export function ContextMenu({ at, label, groups, onClose }: Props) {
  const anchor = useRef<HTMLSpanElement>(null)
  return (
    <>
      <span ref={anchor} aria-hidden="true" style={{ position: 'fixed', left: at.x, top: at.y }} />
      <MenuPopover
        triggerRef={anchor}
        isOpen
        aria-label={label}
        placement="bottom start"
        offset={2}
        onOpenChange={(open) => {
          if (!open) onClose()
        }}
      >
        <Menu
          label={label}
          autoFocus={at.byKeyboard ? 'first' : 'menu'}
          groups={groups.map((group) => ({
            ...group,
            entries: group.entries.map((entry) => ({
              ...entry,
              run: () => {
                onClose()
                entry.run()
              },
            })),
          }))}
        />
      </MenuPopover>
    </>
  )
}

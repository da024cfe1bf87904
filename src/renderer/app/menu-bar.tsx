/** The menus, where no system brings them: in a browser. An open menu follows the pointer and the arrow keys. */
import { useEffect, useRef, useState, type RefObject } from 'react'
import { Button, MenuTrigger, Toolbar } from 'react-aria-components'
import { isMac, Menu, MenuPopover, type MenuEntry, type MenuGroup } from '#renderer/components'
import { useReprise, type Reprise } from '#renderer/store'
import { menuLines, menuTable, type MenuCommand, type MenuTable } from '#shared/contract'
import { commands, runCommand, shortcutOf, shortcutText } from './commands.ts'
import { rememberFocus } from './focus-keeper.ts'

export function MenuBar() {
  const [open, setOpen] = useState<number | null>(null)
  // React Aria's trigger only ever opens; a press on the button of the open menu closes it.
  const openAtPress = useRef<number | null>(null)
  /** Of a menu that the mouse opened. */
  const giveBack = useRef<(() => void) | null>(null)
  const bar = useFocusAfterMenus(open, giveBack)
  const reprise = useReprise()
  const step = (by: 1 | -1) =>
    setOpen((open) => (open === null ? null : (open + by + menuTable.length) % menuTable.length))
  return (
    <nav
      ref={bar}
      className="menu-bar"
      onPointerDownCapture={() => {
        openAtPress.current = open
        // Before the press takes it.
        if (open === null) giveBack.current = rememberFocus()
      }}
      onKeyDownCapture={() => {
        openAtPress.current = null
        if (open === null) giveBack.current = null
      }}
      data-region="menus"
      aria-label="Menus"
      // Keeps the bar alive under an open menu (React Aria makes everything else inert).
      data-react-aria-top-layer={open === null ? undefined : true}
    >
      <Toolbar aria-label="Menus" className="menu-bar-items">
        {menuTable.map((menu, index) => (
          <MenuTrigger
            key={menu.title}
            isOpen={open === index}
            onOpenChange={(now) => setOpen((open) => (now ? index : open === index ? null : open))}
          >
            <Button
              className="menu-bar-item"
              data-open={open === index || undefined}
              onPress={() => {
                if (openAtPress.current === index) setOpen(null)
              }}
              onHoverStart={() => setOpen((open) => (open === null ? null : index))}
            >
              {menu.title}
            </Button>
            <MenuPopover
              placement="bottom start"
              offset={2}
              // The bar's own buttons close the menu or change it.
              shouldCloseOnInteractOutside={(element) => element.closest('.menu-bar') === null}
            >
              {open === index && (
                <Menu
                  label={menu.title}
                  groups={menu.groups.map((group) => groupOf(group, reprise))}
                  onKeyDown={(event) => {
                    if (event.key === 'ArrowRight') step(1)
                    if (event.key === 'ArrowLeft') step(-1)
                  }}
                />
              )}
            </MenuPopover>
          </MenuTrigger>
        ))}
      </Toolbar>
    </nav>
  )
}

/**
 * When the last menu has closed: what the mouse opened gives the focus back to where it was, before a sheet comes that remembers it in
 * turn. Who came by keyboard is left on the menu's button.
 */
function useFocusAfterMenus(
  open: number | null,
  giveBack: RefObject<(() => void) | null>,
): RefObject<HTMLElement | null> {
  const bar = useRef<HTMLElement>(null)
  const last = useRef<number | null>(null)
  useEffect(() => {
    const closed = last.current
    last.current = open
    if (open !== null || closed === null) return undefined
    if (giveBack.current) {
      // Who closes a menu by clicking on something else is there.
      if (!isElsewhere(document.activeElement)) giveBack.current()
      return undefined
    }
    // After React Aria has tried to give the focus back.
    const frame = requestAnimationFrame(() => {
      if (document.activeElement === document.body)
        bar.current?.querySelectorAll<HTMLElement>('.menu-bar-item')[closed]?.focus()
    })
    return () => cancelAnimationFrame(frame)
  }, [open, giveBack])
  return bar
}

const isElsewhere = (element: Element | null) =>
  element !== null && element !== document.body && element.closest('.menu-bar, .menu-popover') === null

/** As the commands are when the menu opens. */
function groupOf(group: MenuTable['groups'][number], reprise: Reprise): MenuGroup {
  return {
    id: group.map((place) => (typeof place === 'string' ? place : place.title)).join(' '),
    entries: group.map((place) =>
      typeof place === 'string'
        ? entryOf(place, reprise)
        : {
            id: place.title,
            label: place.title,
            entries: place.commands.map((name) => entryOf(name, reprise)),
            run: () => undefined,
          },
    ),
  }
}

function entryOf(name: MenuCommand, reprise: Reprise): MenuEntry {
  const mirror = reprise.mirror.getState()
  const view = reprise.view.getState()
  const command = commands[name]
  const shortcut = shortcutOf(name, 'web')
  return {
    id: name,
    label: menuLines[name].label,
    shortcut: shortcut ? shortcutText(shortcut, isMac) : undefined,
    disabled: !command.enabled(mirror, view),
    checked: command.checked?.(mirror, view),
    run: () => runCommand(reprise, name),
  }
}

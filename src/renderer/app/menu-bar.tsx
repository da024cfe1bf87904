/** The menus, where no system brings them: in a browser. An open menu follows the pointer and the arrow keys. */
import { useState } from 'react'
import { Button, MenuTrigger, Toolbar } from 'react-aria-components'
import { Menu, MenuPopover, type MenuGroup } from '#renderer/components'
import { useReprise, type Reprise } from '#renderer/store'
import type { MenuCommand } from '#shared/contract'
import { commands, menus, runCommand, shortcutText } from './commands.ts'
import { isMac } from './keyboard.ts'

export function MenuBar() {
  const [open, setOpen] = useState<number | null>(null)
  const reprise = useReprise()
  const step = (by: 1 | -1) =>
    setOpen((open) => (open === null ? null : (open + by + menus.length) % menus.length))
  return (
    <nav className="menu-bar" data-region="menus" aria-label="Menus">
      <Toolbar aria-label="Menus" className="menu-bar-items">
        {menus.map((menu, index) => (
          <MenuTrigger
            key={menu.title}
            isOpen={open === index}
            onOpenChange={(now) => setOpen((open) => (now ? index : open === index ? null : open))}
          >
            <Button
              className="menu-bar-item"
              data-open={open === index || undefined}
              onHoverStart={() => setOpen((open) => (open === null ? null : index))}
            >
              {menu.title}
            </Button>
            <MenuPopover placement="bottom start" offset={2}>
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

/** As the commands are when the menu opens. */
function groupOf(names: readonly MenuCommand[], reprise: Reprise): MenuGroup {
  const mirror = reprise.mirror.getState()
  const view = reprise.view.getState()
  return {
    id: names.join(' '),
    entries: names.map((name) => {
      const command = commands[name]
      return {
        id: name,
        label: command.label,
        shortcut: command.shortcut && shortcutText(command.shortcut, isMac),
        disabled: !command.enabled(mirror, view),
        checked: command.checked?.(mirror, view),
        run: () => runCommand(reprise, name),
      }
    }),
  }
}

/**
 * The application menu: the commands of the shared table, with what the system expects around them. A command is sent to
 * the window, which knows whether it makes sense at the moment and does nothing if not.
 */
import type { MenuItemConstructorOptions } from 'electron'
import { menuLines, menuTable, type MenuCommand, type MenuLine, type MenuTable } from '#shared/contract'

export interface MenuOptions {
  readonly platform: NodeJS.Platform
  readonly run: (command: MenuCommand) => void
}

type Item = MenuItemConstructorOptions
const separator: Item = { type: 'separator' }

export function menuTemplate({ platform, run }: MenuOptions): Item[] {
  const command = (name: MenuCommand): Item => {
    const line: MenuLine = menuLines[name]
    return {
      id: name,
      label: line.tickless ?? line.label,
      click: () => run(name),
      ...(line.shortcut === undefined ? {} : { accelerator: accelerator(line.shortcut) }),
    }
  }
  const groupsOf = (title: MenuTable['title']): Item[][] =>
    (menuTable.find((menu) => menu.title === title)?.groups ?? []).map((group) =>
      group.map((place) =>
        typeof place === 'string'
          ? command(place)
          : { label: place.title, submenu: place.commands.map(command) },
      ),
    )
  const mac = platform === 'darwin'
  const about = command('about')
  const appMenu: Item = {
    label: 'Reprise',
    submenu: [
      about,
      separator,
      { role: 'services' },
      separator,
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      separator,
      { role: 'quit' },
    ],
  }
  const editing: Item[][] = [
    [{ role: 'undo' }, { role: 'redo' }],
    [{ role: 'cut' }, { role: 'copy' }, { role: 'paste' }, { role: 'selectAll' }],
  ]
  // On a Mac, About stands in the menu that bears the app's name.
  const help = groupsOf('Help').filter((group) => !mac || !group.some(({ id }) => id === 'about'))
  return [
    ...(mac ? [appMenu] : []),
    { label: '&File', submenu: joined([...groupsOf('File'), [mac ? { role: 'close' } : { role: 'quit' }]]) },
    { label: '&Edit', submenu: joined([...editing, ...groupsOf('Edit')]) },
    { label: '&Images', submenu: joined(groupsOf('Images')) },
    { label: '&Server', submenu: joined(groupsOf('Server')) },
    { label: '&View', submenu: joined([...groupsOf('View'), [{ role: 'togglefullscreen' }]]) },
    { role: 'windowMenu' },
    { role: 'help', submenu: joined(help) },
  ]
}

/** `CmdOrCtrl+Shift+R` */
function accelerator({ key, shift, alt }: NonNullable<MenuLine['shortcut']>): string {
  return ['CmdOrCtrl', ...(alt ? ['Alt'] : []), ...(shift ? ['Shift'] : []), key.toUpperCase()].join('+')
}

/** With a line between the groups. */
const joined = (groups: readonly (readonly Item[])[]): Item[] =>
  groups.flatMap((group, index) => (index === 0 ? group : [separator, ...group]))

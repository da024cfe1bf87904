/** Menus: one list of entries drawn the same in the menu bar, in context menus and under buttons. */
import { Check, ChevronRight } from 'lucide-react'
import { Fragment, type ReactNode } from 'react'
import {
  Header,
  Menu as AriaMenu,
  MenuItem,
  MenuSection,
  Popover,
  Separator,
  SubmenuTrigger,
  type PopoverProps,
} from 'react-aria-components'
import './menu.css'

export interface MenuEntry {
  readonly id: string
  readonly label: string
  /** Second line, for what a name alone doesn't tell. */
  readonly description?: string | undefined
  readonly icon?: ReactNode
  readonly shortcut?: string | undefined
  readonly disabled?: boolean | undefined
  readonly checked?: boolean | undefined
  readonly indented?: boolean | undefined
  /** Makes it a menu of its own, which opens beside it. */
  readonly entries?: readonly MenuEntry[]
  readonly run: () => void
}

export interface MenuGroup {
  readonly id: string
  readonly title?: string
  readonly entries: readonly MenuEntry[]
}

interface Props {
  readonly label: string
  readonly groups: readonly MenuGroup[]
  /** Keys that this menu has no use for itself: those in a menu beside it, and those that open one, don't come. */
  readonly onKeyDown?: (event: { readonly key: string }) => void
  /** Where the focus goes when nothing but the menu itself opened it. */
  readonly autoFocus?: 'first' | 'menu'
}

export function Menu({ label, groups, onKeyDown, autoFocus }: Props) {
  const entries = groups.flatMap((group) => group.entries)
  const ticks = entries.some((entry) => entry.checked !== undefined)
  return (
    <div
      className="menu-frame"
      onKeyDownCapture={(event) => {
        const item = event.target instanceof Element ? event.target : null
        // What happens in a menu beside it comes up here, too, though it lies elsewhere in the page.
        const beside = !event.currentTarget.contains(item)
        const opens = item?.getAttribute('aria-haspopup') === 'menu'
        if (!(beside && event.key === 'ArrowLeft') && !(opens && event.key === 'ArrowRight'))
          onKeyDown?.(event)
      }}
    >
      <AriaMenu
        className="menu"
        aria-label={label}
        {...(autoFocus === undefined ? {} : { autoFocus: autoFocus === 'first' ? ('first' as const) : true })}
        disabledKeys={entries.filter((entry) => entry.disabled).map((entry) => entry.id)}
        onAction={(key) => entries.find((entry) => entry.id === key)?.run()}
      >
        {groups
          .filter((group) => group.entries.length > 0)
          .map((group, index) => (
            <Fragment key={group.id}>
              {index > 0 && <Separator className="menu-separator" />}
              <MenuSection className="menu-section" aria-label={group.title ?? label}>
                {group.title !== undefined && <Header className="menu-header">{group.title}</Header>}
                {group.entries.map((entry) =>
                  entry.entries ? (
                    <SubmenuTrigger key={entry.id}>
                      <Row entry={entry} ticks={ticks} />
                      <MenuPopover offset={-2} crossOffset={-5}>
                        <Menu label={entry.label} groups={[{ id: entry.id, entries: entry.entries }]} />
                      </MenuPopover>
                    </SubmenuTrigger>
                  ) : (
                    <Row key={entry.id} entry={entry} ticks={ticks} />
                  ),
                )}
              </MenuSection>
            </Fragment>
          ))}
      </AriaMenu>
    </div>
  )
}

/** `ticks`: some entry of this menu can be ticked, so all leave room for it. */
function Row({ entry, ticks }: { readonly entry: MenuEntry; readonly ticks: boolean }) {
  return (
    <MenuItem
      id={entry.id}
      className="menu-item"
      textValue={entry.label}
      data-indented={entry.indented || undefined}
    >
      {ticks && (
        <span className="menu-check">
          {entry.checked && <Check size={13} strokeWidth={2.5} aria-hidden />}
        </span>
      )}
      {entry.icon}
      {/* All of it is the item's name, so that the reason or the shortcut is read with it. */}
      <span className="menu-words">
        <span>
          {entry.label}
          {entry.checked === true && <span className="visually-hidden">, on</span>}
        </span>
        {entry.description !== undefined && <span className="menu-description">{entry.description}</span>}
      </span>
      {entry.shortcut !== undefined && <kbd className="menu-shortcut">{entry.shortcut}</kbd>}
      {entry.entries && <ChevronRight className="menu-more" size={13} aria-hidden />}
    </MenuItem>
  )
}

/** Where a menu is shown. */
export function MenuPopover(props: Omit<PopoverProps, 'className'>) {
  return <Popover {...props} className="menu-popover" offset={props.offset ?? 4} />
}

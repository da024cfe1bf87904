/**
 * The disks, their volumes and the images: what can be dragged to a well. Selecting a row only shows what it is. The tree
 * knows ids and names; each row watches its own disk.
 */
import { useState, type MouseEvent } from 'react'
import {
  Button,
  Tree,
  TreeHeader,
  TreeItem,
  TreeItemContent,
  TreeSection,
  useDragAndDrop,
} from 'react-aria-components'
import { Checkbox, itemDragType, type ContextMenuPlace } from '#renderer/components'
import {
  locatorOf,
  sameData,
  useActions,
  useBoth,
  useMirror,
  useView,
  type EngineMirror,
  type ItemId,
} from '#renderer/store'
import { RowMenu } from './row-menu.tsx'
import { RowContent } from './rows.tsx'
import { groupTitle } from './text.ts'
import { treeOf } from './tree-of.ts'
import './sidebar.css'

/** The row of an item: not the one that says that there is none. */
const itemRow = '[role=row][data-key]:not([data-disabled])'

const showsInternal = (mirror: EngineMirror) => mirror.app?.preferences.showInternalDisks ?? false

export function Sidebar() {
  const showInternal = useMirror(showsInternal)
  const actions = useActions()
  const [menu, setMenu] = useState<{ readonly id: ItemId; readonly at: ContextMenuPlace } | null>(null)
  return (
    <div className="sidebar">
      <div
        className="sidebar-tree"
        onContextMenu={(event) => {
          const row = event.target instanceof Element ? event.target.closest(itemRow) : null
          const id = row?.getAttribute('data-key')
          if (!row || !id) return
          event.preventDefault()
          actions.select(id as ItemId)
          setMenu({ id: id as ItemId, at: placeOf(event, row) })
        }}
      >
        <ItemTree />
      </div>
      {menu && <RowMenu key={menu.id} id={menu.id} at={menu.at} onClose={() => setMenu(null)} />}
      <div className="sidebar-footer">
        <Checkbox checked={showInternal} onChange={actions.toggleInternalDisks}>
          Show internal disks
        </Checkbox>
      </div>
    </div>
  )
}

/** The pointer's place; under the row when the keyboard asked for the menu. */
function placeOf(event: MouseEvent, row: Element): ContextMenuPlace {
  const box = row.getBoundingClientRect()
  return event.button === 2
    ? { x: event.clientX, y: event.clientY, byKeyboard: false }
    : { x: box.left + 24, y: box.bottom, byKeyboard: true }
}

const noItems = ['no-disks']

const NoDisks = () => (
  <TreeItem id="no-disks" textValue="No disks here. Connect one." className="tree-none secondary">
    <TreeItemContent>
      {/* React Aria looks for a handle in every row. */}
      <span hidden>
        <Button slot="drag" />
      </span>
      <span>No disks here. Connect one.</span>
    </TreeItemContent>
  </TreeItem>
)

function ItemTree() {
  const groups = useBoth(treeOf, sameData)
  const selected = useView((view) => view.selected)
  const actions = useActions()
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set())
  const { dragAndDropHooks } = useDragAndDrop({
    getItems: (keys) =>
      [...keys].map((key) => ({
        [itemDragType]: String(key),
        'text/plain': locatorOf(String(key) as ItemId),
      })),
    getAllowedDropOperations: () => ['copy'],
    onDragStart: ({ keys }) => actions.setDragging(([...keys][0] as ItemId | undefined) ?? null),
    onDragEnd: () => actions.setDragging(null),
  })
  const parents = groups.flatMap((group) =>
    group.rows.filter((row) => row.volumes.length > 0).map((row) => row.id),
  )

  return (
    <Tree
      className="tree"
      aria-label="Disks, images and streams"
      selectionMode="single"
      selectionBehavior="replace"
      // A second press on a row means the row, not nothing.
      disallowEmptySelection
      selectedKeys={selected === null ? [] : [selected]}
      onSelectionChange={(keys) => {
        if (keys !== 'all') actions.select(([...keys][0] as ItemId | undefined) ?? null)
      }}
      expandedKeys={parents.filter((id) => !collapsed.has(id))}
      onExpandedChange={(keys) => setCollapsed(new Set(parents.filter((id) => !keys.has(id))))}
      onAction={(key) => actions.openInfo(key as ItemId)}
      dragAndDropHooks={dragAndDropHooks}
      // Neither the keyboard nor the pointer does anything with it.
      disabledKeys={noItems}
    >
      {groups.map((group) => (
        <TreeSection key={group.name} id={group.name} className="tree-section">
          <TreeHeader className="tree-header">{groupTitle(group.name)}</TreeHeader>
          {group.rows.length === 0 && <NoDisks />}
          {group.rows.map((row) => (
            <TreeItem key={row.id} id={row.id} textValue={row.name} className="tree-row">
              <TreeItemContent>
                {({ hasChildItems }) => <RowContent id={row.id} expandable={hasChildItems} alone />}
              </TreeItemContent>
              {row.volumes.map((volume) => (
                <TreeItem key={volume.id} id={volume.id} textValue={volume.name} className="tree-row">
                  <TreeItemContent>
                    <RowContent id={volume.id} expandable={false} alone={false} />
                  </TreeItemContent>
                </TreeItem>
              ))}
            </TreeItem>
          ))}
        </TreeSection>
      ))}
    </Tree>
  )
}

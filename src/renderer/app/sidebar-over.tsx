/**
 * The sidebar over the panel, where a narrow or zoomed window has no room for it beside: shown by its command, it has the focus until
 * something is chosen in it, or Escape or a press beside it sends it away. What is dragged from it finds the wells that it lies over.
 */
import { useEffect, useLayoutEffect, useRef } from 'react'
import { Sidebar } from '#renderer/features/sidebar'
import { useActions, useView, type ItemId, type ViewState } from '#renderer/store'
import { rememberFocus } from './focus-keeper.ts'
import { firstStop } from './keyboard.ts'

const narrowWindow = '(max-width: 600px)'

/** Tells the store whether the window is narrow, before anything is seen of it. */
export function useNarrow(): void {
  const { setNarrow } = useActions()
  useLayoutEffect(() => {
    const query = matchMedia(narrowWindow)
    const tell = () => setNarrow(query.matches)
    tell()
    query.addEventListener('change', tell)
    return () => query.removeEventListener('change', tell)
  }, [setNarrow])
}

const isOver = ({ sidebarOver }: ViewState) => sidebarOver
const isDragging = ({ dragging }: ViewState) => dragging !== null

/** The panel can't be used meanwhile, but to be dropped on. */
export const isCovered = (view: ViewState): boolean => isOver(view) && !isDragging(view)

export const SidebarOver = () => useView(isOver) && <Over />

function Over() {
  const { closeSidebar, select } = useActions()
  const dragging = useView(isDragging)
  const box = useRef<HTMLElement>(null)

  useEffect(() => {
    const giveBack = rememberFocus()
    // After the menu that the command came from has closed, which keeps the focus to itself.
    const frame = requestAnimationFrame(() => setTimeout(() => box.current && begin(box.current, select)))
    return () => {
      cancelAnimationFrame(frame)
      if (document.activeElement === document.body) giveBack()
    }
  }, [select])

  return (
    <>
      {!dragging && <div className="sidebar-scrim" onPointerDown={closeSidebar} />}
      <aside
        ref={box}
        className="shell-sidebar"
        data-over={dragging ? 'dragging' : 'shown'}
        data-region="sidebar"
        aria-label="Disks, images and streams"
        // Before the tree, which keeps its keys to itself.
        onKeyDownCapture={(event) => {
          // A menu's is the menu's own, though it is drawn from here.
          if (event.key === 'Escape' && event.currentTarget.contains(event.target as Element)) closeSidebar()
        }}
      >
        <Sidebar />
      </aside>
    </>
  )
}

/**
 * On what is selected, else on the first row, which then is, as when one comes by Tab. The tree itself would go to its end, coming from
 * something behind it.
 */
function begin(box: HTMLElement, select: (id: ItemId) => void): void {
  const selected = box.querySelector<HTMLElement>('[role=row][aria-selected=true]')
  const first = box.querySelector<HTMLElement>('[role=row][data-key][aria-selected]')
  if (!selected && first?.dataset['key']) select(first.dataset['key'] as ItemId)
  ;(selected ?? first ?? firstStop(box))?.focus()
}

/**
 * Keeps the focus on something. A view that changes, a sheet that closes or a button that can't be pressed any more takes the
 * focused element away, and the browser lets the focus fall to the page: whoever works by keyboard is thrown to the
 * window's beginning. Here, once for all of them, it goes to the nearest landing: an element marked `data-landing`, or the
 * first stop in it. `own` takes what was lost inside it (a well); `next` also what was lost beside it, and is on what is next in a
 * view: its heading, or the next thing to do.
 *
 * It never takes the focus from anything that still has it, nor from someone who clicked beside everything.
 */

/** What covers the window for a while. What had the focus below gets it again. */
const covers = '.sheet-overlay, .menu-popover'
const stops = 'a[href], button, input, textarea, select, [tabindex]'

/** An element, and everything it lay in: what is taken out of the page doesn't tell that any more. */
interface Place {
  readonly element: HTMLElement
  readonly around: readonly Element[]
}

/** Starts keeping; returns the function that ends it. */
export function keepFocus(): () => void {
  let last: Place | null = null
  let lastBelow: Place | null = null
  /** It couldn't be pressed for a while, and lent its focus. */
  let lent: { readonly from: HTMLElement; readonly to: HTMLElement } | null = null
  let waiting = false

  const onFocus = ({ target }: FocusEvent) => {
    if (!(target instanceof HTMLElement)) return
    last = { element: target, around: ancestors(target) }
    if (!target.closest(covers)) lastBelow = last
    if (target !== lent?.to) lent = null
  }

  /** Also comes for an element that is just being taken out: whether it stays is known when that is done. */
  const onBlur = ({ target }: FocusEvent) =>
    queueMicrotask(() => {
      if (target === last?.element && isNowhere() && canHold(last.element)) last = null
    })

  const look = () => {
    waiting = false
    if (lent && document.activeElement === lent.to && canHold(lent.from)) {
      lent.from.focus()
      return
    }
    if (!isNowhere() || last === null) return
    const lost = document.querySelector(covers) ? last : (lastBelow ?? last)
    if (canHold(lost.element)) {
      lost.element.focus()
      return
    }
    const to = landing(lost.around)
    to?.focus()
    if (to && lost.element.isConnected) lent = { from: lost.element, to }
  }

  // After the effects that make the page usable again, and after what React Aria does about the focus itself.
  const soon = () => {
    if (waiting) return
    waiting = true
    requestAnimationFrame(() => setTimeout(look))
  }

  // Whether the focus is lost can't be told here yet: that an element can't hold it any more the browser finds later.
  const observer = new MutationObserver(soon)
  observer.observe(document.body, {
    subtree: true,
    childList: true,
    attributeFilter: ['disabled', 'inert'],
  })
  document.addEventListener('focusin', onFocus)
  document.addEventListener('focusout', onBlur)
  return () => {
    observer.disconnect()
    document.removeEventListener('focusin', onFocus)
    document.removeEventListener('focusout', onBlur)
  }
}

/**
 * Remembers what has the focus now. The function that it returns gives it back there, or, where that has gone meanwhile, to the nearest
 * landing; if nothing had it, to the next thing to do.
 */
export function rememberFocus(): () => void {
  const element = document.activeElement
  if (isNowhere() || !(element instanceof HTMLElement)) return () => landing([document.body])?.focus()
  const around = ancestors(element)
  return () => (canHold(element) ? element : landing(around))?.focus()
}

const isNowhere = () => document.activeElement === null || document.activeElement === document.body

const canHold = (element: HTMLElement) =>
  element.isConnected &&
  element.checkVisibility() &&
  !element.matches(':disabled') &&
  element.closest('[inert]') === null

function ancestors(element: Element): readonly Element[] {
  const around: Element[] = []
  for (let at = element.parentElement; at; at = at.parentElement) around.push(at)
  return around
}

/**
 * Where what was lost inside of these goes: from the nearest to the farthest, to the tab, or, where the sidebar that lies over the panel
 * keeps that from being used, into the sidebar.
 */
function landing(around: readonly Element[]): HTMLElement | null {
  for (const place of around.filter((place) => place.isConnected)) {
    if (place.matches('[role=dialog], [role=alertdialog]') && place instanceof HTMLElement) return place
    const marked = place.querySelectorAll('[data-landing=next]')
    for (const mark of place.matches('[data-landing]') ? [place, ...marked] : marked) {
      const stop = stopIn(mark)
      if (stop) return stop
    }
  }
  const tab = document.querySelector<HTMLElement>('[role=tab][aria-selected=true]')
  if (tab && canHold(tab)) return tab
  const over = document.querySelector('.shell-sidebar[data-over]')
  return over && stopIn(over)
}

function stopIn(mark: Element): HTMLElement | null {
  const all = [...mark.querySelectorAll<HTMLElement>(stops)]
  if (mark instanceof HTMLElement && mark.matches(stops)) all.unshift(mark)
  return all.find((stop) => canHold(stop)) ?? null
}

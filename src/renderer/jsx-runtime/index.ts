/**
 * What the compiler makes of JSX in the window: React's own, but what is drawn or read out is made visible on the way, as
 * the command line does at its printer. Names and paths stay as they are everywhere else: they go back to the host.
 */
import * as react from 'react/jsx-runtime'
import { visible } from '#shared/words'

export { Fragment, type JSX } from 'react/jsx-runtime'

/** Props that hold text for people, by the time that React or React Aria gets them. `value` is what is typed. */
const drawn = ['children', 'title', 'placeholder', 'textValue', 'aria-label', 'aria-valuetext']

export const jsx: typeof react.jsx = (type, props, key) => react.jsx(type, seen(props), key)
export const jsxs: typeof react.jsxs = (type, props, key) => react.jsxs(type, seen(props), key)

function seen(props: unknown): unknown {
  const copy = { ...(props as { [name: string]: unknown }) }
  for (const name of drawn) if (name in copy) copy[name] = text(copy[name])
  return copy
}

function text(value: unknown): unknown {
  if (typeof value === 'string') return visible(value)
  return Array.isArray(value) ? value.map(text) : value
}

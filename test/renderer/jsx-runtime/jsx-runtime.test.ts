import { expect, it } from 'vitest'
import { jsx, jsxs } from '#renderer/jsx-runtime'

const turned = 'photo\u202Egmd.exe'

it('shows a name that would turn around as it is written', () => {
  const props = { title: turned, 'aria-label': turned, children: turned }
  expect(jsx('p', props).props).toMatchObject({
    title: 'photo?gmd.exe',
    'aria-label': 'photo?gmd.exe',
    children: 'photo?gmd.exe',
  })
  expect(jsxs('p', { children: ['Erase ', [turned], 3] }).props).toEqual({
    children: ['Erase ', ['photo?gmd.exe'], 3],
  })
})

it('leaves identifiers and what is typed as they are', () => {
  const props = { id: turned, value: turned, href: turned }
  expect(jsx('input', props).props).toEqual(props)
  expect(jsx('p', {}, 'a key').key).toBe('a key')
})

import { expect, it } from 'vitest'
import { sayTogether } from '#src/renderer/app/said-together.ts'
import { testClock } from '#test/ui-window'

function listen() {
  const clock = testClock()
  const heard: string[] = []
  const say = sayTogether(({ text, urgent }) => heard.push(urgent ? `${text}!` : text), clock)
  return {
    clock,
    heard,
    interrupt: (text: string) => say({ text, urgent: true }),
    mention: (text: string) => say({ text, urgent: false }),
  }
}

it('says together what comes within a moment, so that nothing takes the place of what was not read yet', () => {
  const { clock, heard, interrupt } = listen()
  interrupt('The engine stopped.')
  clock.advance(149)
  interrupt('ModularSystem: The stream failed.')
  clock.advance(149)
  interrupt('Other: The stream failed.')
  expect(heard).toEqual([])
  clock.advance(150)
  expect(heard).toEqual(['The engine stopped. ModularSystem: The stream failed. Other: The stream failed.!'])
  clock.advance(1000)
  interrupt('Done.')
  clock.advance(150)
  expect(heard.slice(1)).toEqual(['Done.!'])
})

it('says what there is after half a second, however much comes', () => {
  const { clock, heard, interrupt } = listen()
  for (let count = 0; count < 6; count += 1) {
    interrupt(String(count))
    clock.advance(100)
  }
  expect(heard).toEqual(['0 1 2 3 4!'])
  clock.advance(150)
  expect(heard).toEqual(['0 1 2 3 4!', '5!'])
})

it('says what does not interrupt at once, or right after what does', () => {
  const { clock, heard, interrupt, mention } = listen()
  mention('Ready')
  expect(heard).toEqual(['Ready'])
  interrupt('Scanned')
  mention('Reading image')
  mention('Ready to restore')
  expect(heard).toEqual(['Ready'])
  clock.advance(150)
  expect(heard).toEqual(['Ready', 'Scanned!', 'Ready to restore'])
  clock.advance(1000)
  expect(heard).toHaveLength(3)
})

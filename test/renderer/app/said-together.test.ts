import { expect, it } from 'vitest'
import { sayTogether } from '#src/renderer/app/said-together.ts'
import { testClock } from '#test/ui-window'

it('says together what comes within a moment, so that nothing takes the place of what was not read yet', () => {
  const clock = testClock()
  const heard: string[] = []
  const say = sayTogether((text) => heard.push(text), clock)
  say('The engine stopped.')
  clock.advance(149)
  say('ModularSystem: The stream failed.')
  expect(heard).toEqual([])
  clock.advance(1)
  expect(heard).toEqual(['The engine stopped. ModularSystem: The stream failed.'])
  clock.advance(1000)
  say('Done.')
  clock.advance(150)
  expect(heard.slice(1)).toEqual(['Done.'])
})

/** A red disk with an exclamation mark, 16 by 16 pixels: what Windows puts on the taskbar's icon while a failure wasn't seen. */
const png = [
  'iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAAtUlEQVR42mNgwAJOasjqAHEJEE+HYhBbh4EQACrSAOL9QPwfBwbJ',
  'aeDSbAPEn/FohmGQGhtsNqNoPmup///1ulVgDGJjMUQD2QAMZ19wtvwPAyA2Nu8gB9h/Mgz4Dw5YaAiTa0AJAzSayDVgOlUMwOqF',
  '0/oq/6/FhYExiI3PC1gD8ZS24v+n0yeBMYiNMxBxRePt/HS4F0BsnNGIKyGddzD7//P5MzAGsfEmJIqTMlUyE7nZGQA9CLTwnNKj',
  'EQAAAABJRU5ErkJggg==',
].join('')

export const failureBadge = `data:image/png;base64,${png}`

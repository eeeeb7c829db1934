import type { RfmCell } from '@/api/types'

type Score = 'r' | 'f' | 'm'
export const pairs = ['rf', 'fm', 'rm'] as const
export const measures = ['people', 'revenue'] as const
export const five = [1, 2, 3, 4, 5]

/** The 125 codes added up over the score that is not shown. */
export function squareOf(cells: RfmCell[], x: Score, y: Score, measure: 'people' | 'revenue'): number[][] {
  const square = five.map(() => five.map(() => 0))
  for (const cell of cells) {
    const row = square[cell[y] - 1]
    const column = cell[x] - 1
    if (row?.[column] !== undefined) row[column] += cell[measure]
  }
  return square
}

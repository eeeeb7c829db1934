/** Whether the data stop before the month does. */
export function monthIsPartial(month: string, lastTs: string | null): boolean {
  if (!lastTs) return false
  const [year, number] = month.split('-').map(Number)
  if (year === undefined || number === undefined) return false
  const lastDay = new Date(Date.UTC(year, number, 0)).toISOString().slice(0, 10)
  return lastTs.slice(0, 10) < lastDay
}

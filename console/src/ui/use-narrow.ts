import { Grid } from 'antd'

/** A phone's width. */
export function useNarrow(): boolean {
  return Grid.useBreakpoint().md === false
}

import type { Colors } from '@/theme/colors'

/** A layer keeps its colour in every picture: its place in its kind's full list. */
export function layerColor(c: Colors, layer: { color_index?: number } | undefined): string {
  if (layer?.color_index === undefined) return c.lineStrong
  return c.series[layer.color_index % c.series.length] ?? c.accent
}

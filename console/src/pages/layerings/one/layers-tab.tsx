import type { Layering } from '@/api/types'
import { useNarrow } from '@/ui/use-narrow'
import { HeatMap } from './heat-map'
import { LayerCards } from './layer-cards'
import { LayerTable } from './layer-table'
import { MatrixMap } from './matrix-map'
import { TreeMap } from './tree-map'

export function LayersTab({ layering }: { layering: Layering }) {
  const narrow = useNarrow()
  const picture = layering.cells && layering.cells.length > 0 ? <HeatMap cells={layering.cells} currency={layering.currency} /> : layering.matrix ? <MatrixMap layering={layering} matrix={layering.matrix} /> : null
  return (
    <div className="stack">
      {picture ? (
        <div className="halves">
          {picture}
          <TreeMap layering={layering} height={340} />
        </div>
      ) : (
        <TreeMap layering={layering} height={260} />
      )}
      {narrow ? <LayerCards layering={layering} /> : <LayerTable layering={layering} />}
    </div>
  )
}

import { Table, type TableProps } from 'antd'
import { useEffect, useRef } from 'react'

/** Ant Design's table, whose sideways scrolling can be reached by keyboard too. Sorting, selection and the rest come as they are. */
export function DataTable<Row extends object>(props: TableProps<Row>) {
  const frame = useRef<HTMLDivElement>(null)
  useEffect(() => {
    const element = frame.current
    if (!element) return
    const mark = () => {
      for (const area of element.querySelectorAll<HTMLElement>('.ant-table-content')) {
        if (area.scrollWidth > area.clientWidth) area.tabIndex = 0
        else area.removeAttribute('tabindex')
      }
    }
    mark()
    const watch = new ResizeObserver(mark)
    watch.observe(element)
    return () => watch.disconnect()
  }, [props.dataSource, props.columns])
  return (
    <div ref={frame}>
      <Table<Row> {...props} />
    </div>
  )
}

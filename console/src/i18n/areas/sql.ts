import type { Message } from '../translate'

export const sql = {
  'sql.title': { zh: 'SQL 查询', en: 'SQL' },
  'sql.about': { zh: '只读查询订单、明细、用户、分群与事件；Ctrl/⌘ + Enter 运行。', en: 'Read-only queries over orders, lines, people, segments and events; Ctrl/⌘ + Enter runs.' },
  'sql.editor': { zh: 'SQL 语句', en: 'SQL statement' },
  'sql.run': { zh: '运行', en: 'Run' },
  'sql.limit': { zh: '最多显示', en: 'Show at most' },
  'sql.tables': { zh: '数据表', en: 'Tables' },
  'sql.examples': { zh: '示例', en: 'Examples' },
  'sql.insert': { zh: '插入 {name}', en: 'Insert {name}' },
  'sql.result': { zh: '结果', en: 'Result' },
  'sql.rows': { zh: '{n} 行，用时 {took}', en: '{n} {n#row|rows} in {took}' },
  'sql.asof': { zh: '数据截至接收序号 {n}', en: 'data up to intake number {n}' },
  'sql.truncated': { zh: '只显示前 {n} 行，还有更多', en: 'Only the first {n} rows are shown; there are more' },
  'sql.truncated.about': { zh: '调大“最多显示”，加条件缩小范围，或导出完整结果（最多一百万行）。', en: 'Raise the limit, narrow the query, or export the whole result (up to a million rows).' },
  'sql.empty': { zh: '查询没有返回任何行', en: 'The query returned no rows' },
  'sql.empty.about': { zh: '语句是正确的，只是没有数据符合条件。', en: 'The statement is fine; nothing fits it.' },
  'sql.start': { zh: '写一条 SELECT，或从示例开始', en: 'Write a SELECT, or start with an example' },
  'sql.start.about': { zh: '结果会显示在这里，可以导出为 CSV 或 Excel。', en: 'The result appears here and can be exported as CSV or Excel.' },
  'sql.running': { zh: '正在查询…', en: 'Running…' },
} satisfies Record<string, Message>

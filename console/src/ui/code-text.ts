/** A value as Python writes it. */
export function pythonLiteral(value: unknown, indent = ''): string {
  if (value === null || value === undefined) return 'None'
  if (value === true) return 'True'
  if (value === false) return 'False'
  if (Array.isArray(value)) return `[${value.map((one) => pythonLiteral(one, indent)).join(', ')}]`
  if (typeof value === 'object') {
    const inner = `${indent}    `
    const lines = Object.entries(value).map(([name, one]) => `${inner}${JSON.stringify(name)}: ${pythonLiteral(one, inner)},`)
    return lines.length === 0 ? '{}' : `{\n${lines.join('\n')}\n${indent}}`
  }
  return JSON.stringify(value)
}

/** One shell word, whatever is in it. */
export function shellQuoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The command that asks the same on the machine of the workspace; null where there is none. */
export function commandOf(path: string, body: unknown): string | null {
  const [, area = '', name = ''] = path.split('/')
  const piped = `--workspace ./tilth-data --body - <<'JSON'\n${JSON.stringify(body, null, 2)}\nJSON`
  if (area === 'query' && name !== '' && path.split('/').length === 3) return `tilth query ${name} ${piped}`
  if (area === 'metrics' && path.endsWith('/values')) return `tilth metric value ${shellQuoted(name)} ${piped}`
  if (area === 'sql' && typeof body === 'object' && body !== null && 'sql' in body) return `tilth sql --workspace ./tilth-data ${shellQuoted(String(body.sql))}`
  return null
}

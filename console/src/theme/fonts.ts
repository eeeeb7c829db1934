// The system's own fonts, Latin before Chinese; named ones first because `system-ui` is a poor face on many Linux desktops.
export const FONT = '-apple-system, "Segoe UI", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", Inter, Roboto, "Noto Sans CJK SC", "Noto Sans SC", "Noto Sans", system-ui, sans-serif'

export const MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono CJK SC", "Liberation Mono", monospace'

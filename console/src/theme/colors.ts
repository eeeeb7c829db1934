/** One accent and neutral greys with a little green in them. Every text colour has a contrast of at least 4.5 on its ground. */

export type Mode = 'light' | 'dark'

export interface Colors {
  ground: string
  surface: string
  raised: string
  line: string
  lineStrong: string
  text: string
  secondary: string
  accent: string
  accentText: string
  accentSoft: string
  good: string
  bad: string
  warning: string
  goodSoft: string
  badSoft: string
  warningSoft: string
  info: string
  infoSoft: string
  /** Layers and series; told apart by people with any colour vision (after Paul Tol's and Okabe–Ito's sets). */
  series: string[]
  /** Heat, from little to much. */
  heat: string[]
}

export const colors: Record<Mode, Colors> = {
  light: {
    ground: '#f5f7f5',
    surface: '#ffffff',
    raised: '#ffffff',
    line: '#e4e8e4',
    lineStrong: '#cbd3cc',
    text: '#17211b',
    secondary: '#56635b',
    accent: '#1d6f4e',
    accentText: '#1a6647',
    accentSoft: '#e7f2ec',
    good: '#1d6f4e',
    bad: '#b3361f',
    warning: '#855300',
    goodSoft: '#e4f1ea',
    badSoft: '#fbeae6',
    warningSoft: '#fbf0da',
    info: '#23598c',
    infoSoft: '#e6eff8',
    series: ['#1d6f4e', '#3f7fbf', '#e0902f', '#8e5aa8', '#2aa198', '#c2506a', '#9a8b1f', '#5a6fd6', '#a0694b', '#6fa84f', '#7b8794', '#c77dba'],
    heat: ['#eef5f0', '#cfe6d8', '#9fceb3', '#67b089', '#358d64', '#146042'],
  },
  dark: {
    ground: '#101412',
    surface: '#171c19',
    raised: '#1e2521',
    line: '#2a322d',
    lineStrong: '#3d4841',
    text: '#e6ebe7',
    secondary: '#a5b1a9',
    accent: '#27825b',
    accentText: '#74cfa5',
    accentSoft: '#1b3127',
    good: '#6fcf9f',
    bad: '#f0907a',
    warning: '#e3b45c',
    goodSoft: '#1b3127',
    badSoft: '#3a221c',
    warningSoft: '#352a14',
    info: '#8fbdec',
    infoSoft: '#1b2a39',
    series: ['#52b788', '#6aa9e0', '#eda850', '#b98bd0', '#4cc3b8', '#e07f97', '#c9ba4d', '#8fa0f0', '#c9946f', '#97cc78', '#a3adb6', '#dba3d1'],
    heat: ['#1c2621', '#1f4030', '#256045', '#33855f', '#55ac80', '#9ad9b8'],
  },
}

/** Small signs, drawn with the colour of the text. */
const PATHS = {
  plus: "M8 3v10M3 8h10",
  minus: "M3 8h10",
  close: "M4 4l8 8M12 4l-8 8",
  column: "M2.5 3h11v10h-11zM6.2 3v10M9.8 3v10",
  copy: "M5.5 5.5h8v8h-8zM3.5 10.5h-1v-8h8v1",
  from: "M3 3v10M6 8h7M10 5l3 3-3 3",
  sun: "M8 5a3 3 0 100 6 3 3 0 000-6zM8 1.5v1.2M8 13.3v1.2M1.5 8h1.2M13.3 8h1.2M3.4 3.4l.9.9M11.7 11.7l.9.9M12.6 3.4l-.9.9M4.3 11.7l-.9.9",
  moon: "M13 9.5A5.5 5.5 0 116.5 3 4.5 4.5 0 0013 9.5z",
  auto: "M8 2.5a5.5 5.5 0 100 11zM8 2.5a5.5 5.5 0 010 11",
  help: "M5.8 6a2.2 2.2 0 113.2 2c-.7.4-1 .8-1 1.5M8 12v.1",
} as const;

export function Icon({ name }: { name: keyof typeof PATHS }) {
  return <svg class="sign" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path d={PATHS[name]} /></svg>;
}

/** Returns the name of a region: "Paris". */
export function regionLabel(region: string): string {
  return REGIONS.find(({ name }) => name === region)?.label ?? region;
}

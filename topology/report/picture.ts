/** A graph as a picture, in the formats of `netfold graph`. Pure. */
import type { Graph } from '../model/model.ts';
import { dot, drawingOf, mermaid } from './drawing.ts';
import { svg } from './svg.ts';

export const PICTURE_FORMATS = ['mermaid', 'dot', 'svg'] as const;
export type PictureFormat = (typeof PICTURE_FORMATS)[number];

export function pictureOf(graph: Graph, title: string, format: PictureFormat): string {
  const drawing = drawingOf(graph);
  if (format === 'svg') return svg(drawing, title);
  return format === 'dot' ? dot(drawing, title) : mermaid(drawing);
}

/** The reports of the analyses, as far as the page shows them. */

export interface Finding {
  what: string;
  about: string;
  title: string;
  from?: string;
  to?: string;
  score: number;
  show: string[];
  counts?: number[];
  also?: string[];
}

export interface PatternsReport {
  events: number;
  usual: string[];
  findings: Finding[];
  found: number;
  left_out: string[];
}

export interface BurstsReport {
  events: number;
  every: string;
  series: number;
  findings: Finding[];
  found: number;
  left_out: string[];
}

export interface TemplateCount {
  id: string;
  template: string | null;
  events: number;
  first: string | null;
  last: string | null;
  level: string | null;
  source: string | null;
  example: string | null;
  show: string[];
}

export interface TemplatesReport {
  events: number;
  without: number;
  found: number;
  templates: TemplateCount[];
  notes?: string[];
}

export interface SequencesReport {
  sessions: number;
  steps: number;
  pairs: { first: string; then: string; support: number; confidence: number; lift: number; seconds_median: number }[];
  paths: { kinds: string[]; support: number; confidence: number }[];
  unusual: { session: string; from: string; steps: number; rarest: string[]; rarest_support: number; show: string[] }[];
  left_out: string[];
}

export interface RhythmsReport {
  values: number;
  rhythms: { value: string; events: number; every: string; turns: number; hits: number; missed: number; missed_at: string[]; last: string; show: string[] }[];
  left_out: string[];
}

export interface ActorsReport {
  actors: number;
  unusual: { actor: string; from: string; events: number; new_kind: string | null; new_entity_type: string | null; new_hour: number | null; many: string | null; show: string[] }[];
  most_active: { actor: string; events: number; errors: number; kinds: number; days: number; first: string | null; last: string | null }[];
  left_out: string[];
}

/** Its families of metrics; the package has no types of its own. */
declare module "parse-prometheus-text-format" {
  type Family = {
    name: string;
    help: string;
    type: string;
    metrics: { value: string; labels?: Record<string, string> }[];
  };
  /** @throws Error for a text of another form */
  export default function parsePrometheusTextFormat(text: string): Family[];
}

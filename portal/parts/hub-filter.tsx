import { useStatus } from "../app/status.tsx";
import { Field } from "./field.tsx";

export interface HubFilterProps {
  readonly value: string;
  readonly onChange: (hub: string) => void;
}

/** Chooses one of the hubs in use, or all. */
export function HubFilter({ value, onChange }: HubFilterProps) {
  const { value: status } = useStatus();
  const inUse = Object.keys(status?.connections.hubs ?? {});
  const hubs = value === "" || inUse.includes(value) ? inUse : [value, ...inUse];
  return (
    <Field label="Hub">
      {(ids) => (
        <select {...ids} value={value} onChange={({ target }) => onChange(target.value)}>
          <option value="">All hubs</option>
          {hubs.map((hub) => (
            <option key={hub} value={hub}>
              {hub}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

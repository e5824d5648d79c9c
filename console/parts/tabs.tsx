type Props<Name extends string> = {
  label: string;
  tabs: readonly { name: Name; title: string }[];
  current: Name;
  href: (name: Name) => string;
};

/** Views of one screen beside each other, as links. */
export function Tabs<Name extends string>({ label, tabs, current, href }: Props<Name>) {
  return (
    <div class="tabs" role="navigation" aria-label={label}>
      {tabs.map(({ name, title }) => (
        <a key={name} href={href(name)} aria-current={name === current ? "page" : undefined}>
          {title}
        </a>
      ))}
    </div>
  );
}

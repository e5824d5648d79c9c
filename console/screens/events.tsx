export function Events() {
  return (
    <header class="head">
      <h1>Events</h1>
    </header>
  );
}

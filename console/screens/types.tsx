export function Types() {
  return (
    <header class="head">
      <h1>Types</h1>
    </header>
  );
}

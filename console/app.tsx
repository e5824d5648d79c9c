/** The frame of the page. */
export function App() {
  return (
    <main>
      <h1>Sluice</h1>
    </main>
  );
}

const form = document.getElementById("filters");
const checks = Array.from(document.querySelectorAll(".check"));
const show = () => {
  const wanted = Array.from(form.querySelectorAll("select")).map((one) => [one.dataset.filter, one.value]);
  const words = document.getElementById("search").value.toLowerCase();
  for (const check of checks) {
    const fits = wanted.every(([name, value]) => !value || check.dataset[name] === value);
    check.hidden = !(fits ? check.textContent.toLowerCase().includes(words) : false);
  }
  document.getElementById("shown").textContent = checks.filter((one) => !one.hidden).length + " of " + checks.length;
};
form.addEventListener("input", show);
form.addEventListener("submit", (event) => event.preventDefault());
show();

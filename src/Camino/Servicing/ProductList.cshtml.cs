using Camino.Approvals;
using Camino.Data;
using Camino.Lending;
using Camino.Resources;
using Camino.Web;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.AspNetCore.Mvc.RazorPages;
using Microsoft.Extensions.Localization;

namespace Camino.Servicing;

/// <summary>The products with their versions; drafts are changed here, and publishing and retiring is asked for.</summary>
[Authorize(Permissions.ProductsRead)]
public sealed class ProductListPage(ReadProducts read, PublishProduct publish, RetireProduct retire, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public IReadOnlyList<ProductView> Products { get; private set; } = [];

    public string? Problem { get; private set; }

    /// <summary>What was just asked for and waits for a second person.</summary>
    public Guid? Asked { get; private set; }

    public async Task OnGetAsync(Guid? asked, CancellationToken ct)
    {
        Asked = asked;
        Products = await read.AllAsync(ct);
    }

    [Needs(Permissions.ProductsChange)]
    public Task<IActionResult> OnPostPublishAsync(Guid id, CancellationToken ct) => DoAsync(() => publish.AskAsync(id, User.Id(), ct), ct);

    [Needs(Permissions.ProductsChange)]
    public Task<IActionResult> OnPostRetireAsync(Guid id, CancellationToken ct) => DoAsync(() => retire.AskAsync(id, User.Id(), ct), ct);

    private async Task<IActionResult> DoAsync(Func<Task<AskedApproval>> ask, CancellationToken ct)
    {
        try
        {
            return RedirectToPage(new { asked = (await ask()).ApprovalId });
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            Products = await read.AllAsync(ct);
            return Page();
        }
    }
}

/// <summary>A new product, or the draft of one.</summary>
[Authorize(Permissions.ProductsChange)]
public sealed class ProductEditPage(ReadProducts read, AddProduct add, ChangeProduct change, CaminoDb db, IStringLocalizer<Texts> texts) : PageModel
{
    public ProductView? Product { get; private set; }

    public ProductForm Form { get; private set; } = new();

    public string? Problem { get; private set; }

    public async Task<IActionResult> OnGetAsync(Guid? id, CancellationToken ct)
    {
        if (id is null)
            return Page();
        Product = (await read.AllAsync(ct)).FirstOrDefault(product => product.Id == id);
        if (Product is null)
            return NotFound();
        Form = ProductForm.Of(Product, Product.Versions[0]);
        return Page();
    }

    [Needs(Permissions.ProductsChange)]
    public async Task<IActionResult> OnPostAsync(Guid? id, ProductForm form, CancellationToken ct)
    {
        Form = form;
        Product = id is null ? null : (await read.AllAsync(ct)).FirstOrDefault(product => product.Id == id);
        if (id is not null && Product is null)
            return NotFound();
        try
        {
            if (Product is null)
                await add.RunAsync(InputText.Text("code", form.Code, 20), InputText.Text("name", form.Name, 100), form.Rules(null), form.Offer(null), User.Id(), ct);
            else
                await change.RunAsync(Product.Id, form.Rules(Product.Versions[0].Rules), form.Offer(Product.Versions[0].Offer), User.Id(), ct);
            return RedirectToPage("/Servicing/ProductList");
        }
        catch (RefusedException refused)
        {
            db.ChangeTracker.Clear();
            Problem = texts.Refused(refused);
            return Page();
        }
    }
}

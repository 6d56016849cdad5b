package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"connectrpc.com/connect"

	"github.com/corsrpc/corsrpc-go/corsrpc/corsbrowser"
	shopv1 "github.com/corsrpc/corsrpc-go/examples/tenants/gen/shop/v1"
	"github.com/corsrpc/corsrpc-go/examples/tenants/gen/shop/v1/shopv1connect"
)

// customers opens customers' pages in simulated browsers, so that this example needs neither
// their domains nor certificates. It is safe for concurrent use.
type customers struct {
	shop string // the URL of the shop

	mu    sync.Mutex
	pages map[string]*corsbrowser.Browser // by origin; each keeps its cached preflights
}

func newCustomers(shop string) *customers {
	return &customers{shop: shop, pages: map[string]*corsbrowser.Browser{}}
}

// visit holds the calls of a page's script.
type visit struct {
	Origin string
	Calls  []call
}

// call is a call of a page's script.
type call struct {
	Name       string
	Got        string // the result or the error in the script
	Blocked    string // the reason if the browser blocked the call
	Preflights int
}

// open opens a page of an origin. Its script lists the products of the shop and adds bread
// to the cart.
func (c *customers) open(ctx context.Context, origin string) (visit, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	page := c.pages[origin]
	if page == nil {
		var err error
		if page, err = corsbrowser.New(origin, corsbrowser.WithEngine(corsbrowser.Chromium)); err != nil {
			return visit{}, err
		}
		c.pages[origin] = page
	}
	shop := shopv1connect.NewShopServiceClient(page.Client(), c.shop, connect.WithProtoJSON(), connect.WithHTTPGet())
	return visit{origin, []call{
		callFrom(page, "ListProducts", func() (string, error) {
			response, err := shop.ListProducts(ctx, connect.NewRequest(&shopv1.ListProductsRequest{}))
			if err != nil {
				return "", err
			}
			return strings.Join(response.Msg.Products, ", "), nil
		}),
		callFrom(page, "AddToCart", func() (string, error) {
			request := connect.NewRequest(&shopv1.AddToCartRequest{Product: "bread"})
			request.Header().Set("X-Cart-Id", origin)
			response, err := shop.AddToCart(ctx, request)
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%d in the cart, %s in stock", response.Msg.InCart, response.Header().Get("X-Stock")), nil
		}),
	}}, nil
}

// callFrom makes a call and returns what a script of the page gets.
func callFrom(page *corsbrowser.Browser, name string, do func() (string, error)) call {
	before := page.Preflights()
	got, err := do()
	c := call{Name: name, Got: got, Preflights: page.Preflights() - before}
	var blocked *corsbrowser.BlockedError
	if errors.As(err, &blocked) {
		c.Got, c.Blocked = "TypeError: Failed to fetch", blocked.Error()
	} else if err != nil {
		c.Got = err.Error()
	}
	return c
}
